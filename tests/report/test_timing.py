from gatelab.report.timing import profile_table
from gatelab.runs.profile import Profile


def test_the_table_says_where_each_second_went():
    seconds = {"gru": {"forward": 2.0, "backward": 5.0}, "lstm": {"forward": 1.0, "backward": 4.0}}
    profile = Profile(workers=2, trials={"gru": 2, "lstm": 1}, seconds=seconds, training=8.0)
    columns, rows = profile_table(profile)
    table = {row[0]: row[1:] for row in rows}
    assert columns[1:] == ["gru (2)", "lstm (1)", "all", "share"]
    assert table["backward"] == ["5.00", "4.00", "9.00", "56.2%"]
    assert table["idle"] == ["–", "–", "4.00", "25.0%"]
    assert table["sum"] == ["7.00", "5.00", "16.00", "100.0%"]


def test_a_session_without_trials_has_a_table_too():
    rows = profile_table(Profile(workers=1, trials={}, seconds={}, training=0.0))[1]
    assert rows[-1] == ["sum", "0.00", "100.0%"]
