"""The market of intermediaries (中介服务超市): register, ratings, complaints, credit events, blacklist."""
