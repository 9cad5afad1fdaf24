"""Charts over many runs with plotly: parallel coordinates, scatter, boxes, a trend."""
