"""The story, the bench and the race: the real server under load, on a scratch database."""
