"""What the panels are made of: fields, pictures, charts, bars, the drawing board."""
