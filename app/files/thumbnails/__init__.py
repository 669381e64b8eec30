"""Small pictures of photos and films: drawn by limited processes of their own, kept in the state folder.

`shelf` keeps them, `maker` is the program that draws one, `drawing` asks it. Nothing here writes beside media.
"""
