"""An HTTP endpoint: POST a PNG or JPEG, get it in color.

pip install fastapi uvicorn
uvicorn fastapi_endpoint:app
curl --data-binary @gray.png http://127.0.0.1:8000/color > color.png
"""

import io

from fastapi import FastAPI, HTTPException, Request, Response
from PIL import Image, UnidentifiedImageError
from starlette.concurrency import run_in_threadpool

import pycolor

app = FastAPI()


@app.post("/color")
async def color(request: Request) -> Response:
    try:
        picture = Image.open(io.BytesIO(await request.body()))
        colored = await run_in_threadpool(pycolor.color, picture)
    except (UnidentifiedImageError, pycolor.UsageError) as e:
        raise HTTPException(415, str(e)) from e
    png = io.BytesIO()
    colored.save(png, "png")
    return Response(png.getvalue(), media_type="image/png")
