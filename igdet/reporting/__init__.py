"""What reports are made of: tables, charts, pages, and the statistics behind them; free of torch."""
