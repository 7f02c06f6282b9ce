"""Sources on other machines: asked in the background, bounded in time and size, with their last good answer kept."""
