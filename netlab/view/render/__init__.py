"""What draws a picture: HTML (and the widget's module), SVG, terminal text."""
