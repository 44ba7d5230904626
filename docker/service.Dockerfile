# One of Scanflow's services: docker build -f docker/service.Dockerfile --build-arg SERVICE=cal2wl .
# It holds Node.js, the service, the `scanflow` command, and only the packages that these two need. No build step:
# Node.js runs the TypeScript sources. BESIDE names one more workspace: compose.demo.yaml adds the demo.

ARG NODE_IMAGE=node:26-trixie-slim

# The manifests by themselves, so that npm runs again only when one of them changes.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete \
 && find . -type d -empty -delete

# npm links the workspaces that the service needs into node_modules/@scanflow: that list is the list of sources.
FROM ${NODE_IMAGE} AS modules
ARG SERVICE
ARG BESIDE=
WORKDIR /app
COPY --from=manifests /app ./
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    npm ci --omit=dev --no-audit --no-fund --workspace "services/$SERVICE" --workspace services/cli ${BESIDE:+--workspace "$BESIDE"} \
 && test ! -e node_modules/node && test ! -e node_modules/typescript
# What npm installed, as a list. npm makes it only of a whole tree: the root's own tools and the other services are no part of it.
RUN node -e ' \
      const { readFileSync, readdirSync, readlinkSync, writeFileSync } = require("node:fs"); \
      const { devDependencies, ...root } = JSON.parse(readFileSync("package.json", "utf8")); \
      const parts = readdirSync("node_modules/@scanflow").map((name) => readlinkSync(`node_modules/@scanflow/${name}`)); \
      root.workspaces = parts.map((part) => part.replace(/^(..\/)*/, "")); \
      writeFileSync("package.json", JSON.stringify(root));' \
 && npm sbom --sbom-format cyclonedx >/sbom.cdx.json

# Compose files of 0.1.0 look for their health check in packages/chassis.
FROM ${NODE_IMAGE} AS sources
WORKDIR /src
COPY . .
COPY --from=modules /app/node_modules/@scanflow /links/node_modules/@scanflow
RUN for link in /links/node_modules/@scanflow/*; do \
      part=$(readlink "$link" | sed 's,^\(\.\./\)*,,') \
   && mkdir -p "/app/$part" && cp -r "$part/." "/app/$part/" || exit 1; \
    done \
 && cp package.json /app/ \
 && mkdir -p /app/packages/chassis/src && ln -s ../../runtime/src/probe.ts /app/packages/chassis/src/probe.ts \
 && chmod -R a+rX,go-w /app

# The header viewer as one file, for the dashboard alone. The tool that makes it stays outside the image.
FROM sources AS viewer
ARG SERVICE
COPY --from=modules /app/node_modules /app/node_modules
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    mkdir -p /built /tools \
 && if [ "$SERVICE" = dashboard ]; then \
      version=$(node -p 'require("/src/package.json").devDependencies.esbuild') \
   && npm install --no-audit --no-fund --prefix /tools "esbuild@$version" \
   && ln -s /tools/node_modules /node_modules \
   && node /app/services/dashboard/src/viewer/one-file.ts \
   && install -D -m 0644 /app/services/dashboard/built/scanflow-viewer.html /built/services/dashboard/built/scanflow-viewer.html; \
    fi

# The validator of BIDS datasets, for that service alone: an install of its own, outside the services' tree.
FROM ${NODE_IMAGE} AS validator
ARG SERVICE
COPY services/bids/validator /validator
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    mkdir -p /built/services/bids \
 && if [ "$SERVICE" = bids ]; then \
      npm ci --omit=dev --no-audit --no-fund --ignore-scripts --prefix /validator \
   && cp -r /validator /built/services/bids/validator && chmod -R a+rX,go-w /built; \
    fi

FROM ${NODE_IMAGE}
ARG SERVICE
# dcm2niix, for that service alone; of Debian's archive as it was at that time, where one is given: docker/pins.env
ARG DEBIAN_SNAPSHOT=
RUN if [ "$SERVICE" = bids ]; then \
      if [ -n "$DEBIAN_SNAPSHOT" ]; then \
        for part in "debian trixie trixie-updates" "debian-security trixie-security"; do \
          printf 'Types: deb\nURIs: http://snapshot.debian.org/archive/%s/%s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\nCheck-Valid-Until: no\n\n' \
            "${part%% *}" "$DEBIAN_SNAPSHOT" "${part#* }"; \
        done >/etc/apt/sources.list.d/debian.sources; \
      fi \
   && apt-get update \
   && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends dcm2niix \
   && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/* /usr/share/doc /usr/share/man; \
    fi
# 10000 is the group that may read the stack's secrets. A new named volume takes owner and mode of the folder that it
# is mounted on, so all of them exist here.
RUN groupadd --gid 10000 scanflow-secrets \
 && groupadd --gid 10001 scanflow \
 && useradd --uid 10001 --gid 10001 --groups 10000 --no-create-home --home-dir /app --shell /usr/sbin/nologin scanflow \
 && install -d -o 10001 -g 10001 -m 0750 \
      /data /data/worklist /data/bookings /data/performed /data/cal2wl /data/receiver /data/streamer /data/dashboard /data/erasures /data/token /project /backup \
 && install -d -o 10001 -g 10000 -m 0750 \
      /run/secrets/scanflow /run/secrets/orthanc /run/secrets/streamer /run/secrets/receiver /run/secrets/dashboard /run/secrets/postgres \
 && install -d -m 0755 /etc/scanflow \
 && install -d -o 10001 -g 10001 -m 0755 /app/.compiled \
 && printf '#!/bin/sh\nexec node /app/services/cli/src/main.ts "$@"\n' >/usr/local/bin/scanflow \
 && chmod 755 /usr/local/bin/scanflow \
 && install -d /usr/share/scanflow && dpkg-query --show >/usr/share/scanflow/debian-packages.txt \
 && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx
WORKDIR /app
COPY --from=modules /app/node_modules ./node_modules
COPY --from=sources /app ./
COPY --from=viewer /built ./
COPY --from=validator /built ./
# what the image holds: npm's packages, beside Debian's
COPY --from=modules /sbom.cdx.json /usr/share/scanflow/
# By itself, glibc keeps up to 38 MB of freed memory once a large piece was freed. With a fixed threshold, large pieces go back at once.
ENV NODE_ENV=production SERVICE=${SERVICE} NODE_COMPILE_CACHE=/app/.compiled MALLOC_MMAP_THRESHOLD_=131072
USER 10001:10001
# Compiled ahead, by the user that runs it: a service starts sooner and takes less memory. It ends at once, for want of a
# configuration, with everything loaded; so does each command with its help. When they run, nothing is written here any more.
RUN node "services/$SERVICE/src/main.ts" --config /none >/dev/null 2>&1; test -n "$(ls -A /app/.compiled)" \
 && for command in check bookings calendars send series tag; do scanflow "$command" --help >/dev/null || exit 1; done
CMD ["sh", "-c", "exec node \"/app/services/$SERVICE/src/main.ts\" --config /etc/scanflow/scanflow.yaml"]
