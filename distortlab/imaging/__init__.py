"""Image files: decoded from bytes that nobody vouched for, encoded without loss, cleared of metadata."""
