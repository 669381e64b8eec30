# Media Pipeline in one image: web, worker and database browser under supervisord.
# No mirror or registry host is named here; pip and npm use what the base images and build arguments give them.
# Nothing here knows a processor: `docker buildx build --platform linux/amd64,linux/arm64 .` builds both.

ARG PYTHON_IMAGE=python:3.13-slim-trixie
ARG NODE_IMAGE=node:22-slim

FROM ${NODE_IMAGE} AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY scripts/copy_assets.sh scripts/
RUN scripts/copy_assets.sh /build/vendor

FROM ${PYTHON_IMAGE} AS wheels
RUN apt-get update && apt-get install -y --no-install-recommends binutils
WORKDIR /build
COPY requirements.txt constraints.txt ./
# pytest is for checkouts; the image does not need it
RUN python3 -m venv /opt/venv \
 && grep -v '^pytest==' requirements.txt >runtime.txt \
 && /opt/venv/bin/python -m pip install --no-cache-dir --no-compile --disable-pip-version-check -r runtime.txt \
 && /opt/venv/bin/python -m pip uninstall --yes --quiet pip
# What nothing reads at run time. The libraries in *.libs were rewritten by their makers' tools, which strip breaks.
RUN cd /opt/venv \
 && find . -type d \( -name tests -o -name test -o -name __pycache__ -o -name '*-stubs' \) -prune -exec rm -rf {} + \
 && find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.h' -o -name '*.a' \) -delete \
 && find . -type f -name '*.so' ! -path '*.libs/*' -exec strip --strip-unneeded {} +

FROM ${PYTHON_IMAGE}
# ffmpeg draws the thumbnails of films and is needed for nothing else (docs/operations.md tells what it weighs)
ARG WITH_FFMPEG=false
COPY docker/dpkg-excludes /etc/dpkg/dpkg.cfg.d/media-pipeline
RUN apt-get update \
 && packages="libimage-exiftool-perl tini tzdata" \
 && if [ "$WITH_FFMPEG" = true ]; then packages="$packages ffmpeg"; fi \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log

COPY --from=wheels /opt/venv /opt/venv
WORKDIR /opt/media-pipeline
COPY LICENSE README.md CHANGELOG.md entrypoint.sh ./
COPY config config
COPY docker/*.py docker/*.sh docker/*.conf docker/
COPY scripts scripts
COPY templates templates
COPY worker worker
COPY app app
COPY --from=assets /build/vendor app/web/static/vendor
# Compiled beforehand is what a start imports, by importing it, also of Python's own library, which the base image
# leaves uncompiled: nobody may write there later, and each start would compile it again.
RUN chmod 755 entrypoint.sh docker/*.sh && ln -s /opt/media-pipeline/docker/media-pipeline.sh /usr/local/bin/media-pipeline \
 && install -d -o 1000 -g 1000 /config /media && install -d -m 1777 /run/media-pipeline \
 && /opt/venv/bin/python -m compileall -q app worker docker scripts \
 && PYTHONPATH=. /opt/venv/bin/python -c "import app.web, app.dbui, app.cli.setup, worker.__main__, sqlite_web.sqlite_web, \
    alembic.command, gunicorn.app.wsgiapp, gunicorn.workers.gthread, supervisor.supervisord, pymediainfo, pi_heif, PIL.Image"

# PUID and PGID own what the program writes; UMASK and TZ as everywhere
ENV PUID=1000 PGID=1000 UMASK=022 TZ=UTC \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    MEDIA_PIPELINE_CONFIG=/config/config.yaml \
    MEDIA_PIPELINE_CONTAINER=1 \
    MEDIA_PIPELINE_VENV=/opt/venv \
    MEDIA_PIPELINE_RUN_DIR=/run/media-pipeline \
    MP_RUN_DIR=/run/media-pipeline

# /config: configuration, database, logs. /media: ONE mount for the whole media tree, because a move
# between two mounts is a copy.
VOLUME ["/config", "/media"]
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
# The first look comes one interval after the start; each costs a tenth of a second of one core or less
HEALTHCHECK --interval=8s --timeout=10s --start-period=60s --retries=5 \
    CMD ["/opt/venv/bin/python", "-I", "-S", "/opt/media-pipeline/docker/healthcheck.py"]
ENTRYPOINT ["/opt/media-pipeline/entrypoint.sh"]

# Last, because they change with every build: where this very image comes from
ARG VERSION=unreleased
ARG REVISION=unknown
ARG SOURCE=https://github.com/media-pipeline/media-pipeline
LABEL org.opencontainers.image.title="Media Pipeline" \
      org.opencontainers.image.description="Feeds a big photo archive through a small peer, one window at a time, without ever losing a photo." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
