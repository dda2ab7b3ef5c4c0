"""What is trained on: pictures from folders and archives, augmentation, and pictures drawn by code."""
