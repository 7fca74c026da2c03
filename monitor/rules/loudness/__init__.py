"""Rules about how loud it is for how long."""
