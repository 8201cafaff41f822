"""Image files: decoded from untrusted bytes, encoded without loss, cleared of metadata."""
