# target-gainsight, gainsight and Meltano. See docs/production.md.
#   docker build --tag meltano-gainsight .
#   docker build --target demo --tag meltano-gainsight-demo . && docker run --rm meltano-gainsight-demo
FROM python:3.13.9-slim-trixie AS build
WORKDIR /src
RUN python -m venv /opt/venv
COPY requirements/image.txt requirements/
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement requirements/image.txt
COPY pyproject.toml README.md LICENSE ./
COPY target_gainsight target_gainsight
# The version comes from git tags, which are not in the build context.
ARG VERSION=0.1.0.dev0
RUN SETUPTOOLS_SCM_PRETEND_VERSION="$VERSION" /opt/venv/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13.9-slim-trixie AS runtime
COPY --from=build /opt/venv /opt/venv
RUN useradd --create-home --uid 10001 gainsight && install --directory --owner gainsight /project /files
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 MELTANO_CLI_DISABLE_VERSION_CHECK=true
USER 10001
WORKDIR /project
CMD ["target-gainsight", "--help"]

# The examples, loaded into the embedded sandbox when a container starts.
FROM runtime AS demo
COPY --chown=10001 meltano.yml ./
COPY --chown=10001 examples examples
# Without a pip_url, Meltano runs the loader of the image.
RUN sed -i '/pip_url: -e/d' meltano.yml && meltano install --plugin-type extractor tap-jsonl
CMD ["sh", "-c", "meltano run --full-refresh load-examples && gainsight sandbox show"]

FROM runtime
