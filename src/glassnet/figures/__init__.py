"""Everything that is drawn, from values: images, curves, predictions, networks. A function returns a Figure."""

from glassnet.figures.canvas import save
from glassnet.figures.curves import draw_curves
from glassnet.figures.diagram import draw_network
from glassnet.figures.images import draw_grid, draw_image, draw_predictions, look

__all__ = ["draw_curves", "draw_grid", "draw_image", "draw_network", "draw_predictions", "look", "save"]
