"""Tables of numbers along time: CSV and Parquet, and forecasting problems made of them."""
