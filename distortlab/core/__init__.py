"""What everything stands on: images, regions, addressed randomness, errors, and how programs begin, work and end."""
