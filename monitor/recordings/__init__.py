"""The loop over recordings: analysis, plots, evaluation."""
