# The operator's image; the freezer on the nodes runs from it as well.
#
#   docker build -t disksnapshot-operator .
#
# Where PyPI is reached through a proxy with its own certificate authority, give its folder of certificates:
#   docker build --build-context certs=/etc/ssl/certs ...
# and where it is reached through a mirror: --build-arg PIP_INDEX_URL=https://...

# The lock file is made for Python 3.11: another version may need packages that it doesn't hold.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

# `--build-context certs=` takes the place of this stage; without either, `from=certs` would be looked for in a registry.
FROM ${BASE} AS certs

FROM ${BASE} AS build
ARG PIP_INDEX_URL=https://pypi.org/simple
# Two environments: pip installs from the one into the other, so that the image carries no installer in its own.
RUN python3 -m venv /opt/installer && python3 -m venv --without-pip /opt/venv
COPY requirements.lock /build/requirements.lock
RUN --mount=type=bind,from=certs,target=/certs \
    if [ -s /certs/ca-certificates.crt ]; then export PIP_CERT=/certs/ca-certificates.crt; fi \
    && /opt/installer/bin/pip --python /opt/venv/bin/python3 install \
        --require-hashes --no-deps --no-cache-dir --only-binary=:all: --disable-pip-version-check \
        -r /build/requirements.lock
COPY operator/disksnapshot /app/disksnapshot
# The root file system is read-only at run time, so the byte code has to be there already. By hash instead of by time,
# so that the same sources make the same image.
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /app

FROM ${BASE}
LABEL org.opencontainers.image.title="disksnapshot-operator" \
      org.opencontainers.image.description="Proven disk snapshots on Kubernetes for Tencent Cloud CBS" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
# A number, not a name: Kubernetes can check runAsNonRoot only on a number.
USER 65532:65532
ENTRYPOINT ["python3", "-m", "disksnapshot"]
