# pgvouch in an image: to migrate with, and a base for applications that migrate before they start.
#
#   FROM pgvouch
#   COPY migrations migrations
#   CMD ["my-application"]
#
# Two stages, so that the sources and pip's leavings stay behind. psycopg's wheel brings libpq, and every other
# dependency is a wheel too: there is no compiler, and none is missed.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md CHANGELOG.md ./
COPY runner runner
COPY templates templates
# Compiled here, for the image's user may not write the .pyc files: otherwise every start would compile again.
RUN python -m venv --without-pip /opt/pgvouch \
 && pip --python /opt/pgvouch/bin/python install --no-cache-dir --only-binary :all: --compile .

FROM python:3.13-slim
COPY --from=build /opt/pgvouch /opt/pgvouch
# Only the command, not the environment's python: `python` and `pip` are the application's own.
RUN ln -s /opt/pgvouch/bin/pgvouch /usr/local/bin/pgvouch
COPY --chmod=755 docker/entrypoint.sh /usr/local/bin/entrypoint
WORKDIR /app
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
ENTRYPOINT ["entrypoint"]
CMD ["pgvouch", "--help"]
