"""How the house is looked after: receivers, models, what is kept, drills, its mode, suggestions."""
