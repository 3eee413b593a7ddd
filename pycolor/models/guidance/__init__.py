"""Color by example: what is known of some places of a film leads the color of the others.

Everything that a person gives (a colored still of the film, a picture of something alike, points,
strokes, masks) becomes a `GuidedPicture`: a picture in gray with known color at some cells of the
chroma field.  A frame finds for each of its own cells those cells of the guided pictures that look
alike to the network's trunk (`matching`), takes over their color as far as the match can be
trusted (`gate`), and hands it to the model as its `Guidance`.
"""
