# From the root of the repository:
#     docker build -f scripts/ha/sluice.dockerfile -t sluice .
#     docker run -v ./haproxy.cfg:/etc/haproxy/haproxy.cfg:ro -p 80:80 sluice
# `docker kill -s USR2` reloads, `docker stop` lets the connections finish.
FROM node:26.10-bookworm-slim AS build
WORKDIR /build
COPY . .
RUN mkdir /packed && npm ci --no-audit --no-fund && npm pack --pack-destination /packed

FROM node:26.10-bookworm-slim
RUN apt-get update \
	&& apt-get install -y --no-install-recommends socat \
	&& rm -rf /var/lib/apt/lists/*
# Without the optional packages: they are another Node.js.
RUN --mount=type=bind,from=build,source=/packed,target=/packed \
	npm install --global --no-audit --no-fund --omit=optional /packed/sluice-*.tgz
RUN useradd --system --uid 99 --home-dir /var/lib/haproxy --create-home haproxy \
	&& install -d -o haproxy /etc/haproxy /run/haproxy /run/sluice
USER haproxy
STOPSIGNAL SIGUSR1
# The thread that runs the health checks answers; a process that hangs does not.
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=2 \
	CMD echo '@1 show info' | socat -t 3 - UNIX-CONNECT:/run/sluice/master.sock | grep -q ^Uptime_sec
CMD ["sluice", "-W", "-S", "/run/sluice/master.sock", "-f", "/etc/haproxy/haproxy.cfg"]
