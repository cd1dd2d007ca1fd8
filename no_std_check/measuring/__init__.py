"""What `run` is made of: boards, building, running, looking at programs, tables."""
