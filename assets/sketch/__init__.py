"""How the small weights beside these files were made: textures, training, export."""
