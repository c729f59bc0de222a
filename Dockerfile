# An image that migrates, and a base for applications that migrate before they start:
#
#   FROM pgvouch
#   COPY migrations migrations
#   CMD ["my-application"]
#
# Two stages, so that neither pip's cache nor the sources are in it. psycopg's wheel brings libpq: there is no compiler.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY runner runner
COPY templates templates
RUN python -m venv /opt/pgvouch \
 && /opt/pgvouch/bin/pip install --no-cache-dir --no-compile . \
 && /opt/pgvouch/bin/pip uninstall --yes pip

FROM python:3.13-slim
COPY --from=build /opt/pgvouch /opt/pgvouch
COPY docker/entrypoint.sh /usr/local/bin/entrypoint
ENV PATH=/opt/pgvouch/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
COPY migrations migrations
COPY docker/pgvouch.toml pgvouch.toml
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
ENTRYPOINT ["entrypoint"]
CMD ["pgvouch", "status"]
