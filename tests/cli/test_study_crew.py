import pytest

from gatelab.cli.study_crew import Hands, shares
from gatelab.errors import ConfigError


def test_shares_of_a_node():
    assert shares(None) == {}
    assert shares("cpus=0.5, memory=2") == {"cpus": 0.5, "memory": 2 << 30}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"workers": 2, "ray": "auto"}, "wanted --workers or --ray"),
        ({"share": "cpus=1"}, "wanted --ray ADDRESS"),
        ({"ray": "auto", "share": "cpu=1"}, "did you mean cpus"),
        ({"ray": "auto", "share": "cpus=one"}, "wanted a number for cpus"),
        ({"ray": "auto", "share": "cpus"}, "wanted a number for cpus"),
    ],
)
def test_what_contradicts_itself(values, said):
    with pytest.raises(ConfigError, match=said):
        Hands(**values)
