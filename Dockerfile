# Media Pipeline in one image: web, worker and database browser under supervisord.
# No mirror or registry host is named here; pip and npm use what the base images and build arguments give them.

FROM node:22-slim AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY scripts/copy_assets.sh scripts/
RUN scripts/copy_assets.sh /build/vendor

FROM python:3.13-slim-trixie AS wheels
WORKDIR /build
COPY requirements.txt constraints.txt ./
# pytest is for checkouts; the image does not need it
RUN python3 -m venv /opt/venv \
 && grep -v '^pytest==' requirements.txt >runtime.txt \
 && /opt/venv/bin/python -m pip install --no-cache-dir --no-compile --disable-pip-version-check -r runtime.txt \
 && /opt/venv/bin/python -m pip uninstall --yes --quiet pip \
 && find /opt/venv -name __pycache__ -prune -exec rm -rf {} +

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="Media Pipeline" \
      org.opencontainers.image.description="Feeds a big photo archive through a small peer, one window at a time, without ever losing a photo." \
      org.opencontainers.image.licenses="MIT"

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libimage-exiftool-perl tini tzdata \
 && rm -rf /var/lib/apt/lists/*

COPY --from=wheels /opt/venv /opt/venv
WORKDIR /opt/media-pipeline
COPY app app
COPY worker worker
COPY templates templates
COPY config config
COPY docker docker
COPY scripts scripts
COPY LICENSE README.md CHANGELOG.md entrypoint.sh ./
COPY --from=assets /build/vendor app/web/static/vendor
RUN printf '#!/bin/sh\nPYTHONPATH=/opt/media-pipeline exec /opt/venv/bin/python -m app.cli "$@"\n' >/usr/local/bin/media-pipeline \
 && chmod 755 /usr/local/bin/media-pipeline entrypoint.sh docker/remembered.sh

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
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["/opt/venv/bin/python", "/opt/media-pipeline/docker/healthcheck.py"]
ENTRYPOINT ["tini", "--", "/opt/media-pipeline/entrypoint.sh"]
