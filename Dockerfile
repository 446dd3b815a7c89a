# The image of Lychgate. Needs nothing but this file and a registry:
#
#   docker build --tag lychgate .
#
# A private npm registry: docker build --secret id=npmrc,src=$HOME/.npmrc …
# Without any image registry: CONTRIBUTING.md, "Building the image without a registry".

# One base for all stages, the version of .nvmrc. test/container.test.ts keeps the two equal.
FROM docker.io/library/node:26.10.0-bookworm-slim AS base
WORKDIR /opt/lychgate

# Compiles src to dist. Install scripts stay off: the compiler needs none, and Node comes from the base.
FROM base AS build
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && chmod +x dist/main.js

# What the service imports while it runs.
FROM base AS modules
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM base
# Package managers have no work in a DMZ. The two folders are where an administrator's are mounted; nothing of them is built in.
RUN mkdir -p /etc/lychgate/config /etc/lychgate/certs \
  && ln -s /opt/lychgate/dist/main.js /usr/local/bin/lychgate \
  && rm -rf /usr/local/lib/node_modules /opt/yarn-* \
  /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg
COPY --from=modules /opt/lychgate/node_modules ./node_modules
COPY --from=build /opt/lychgate/dist ./dist
COPY package.json LICENSE ./

ENV NODE_ENV=production
# Every command looks for the folder "config" here, and its settings for "../certs".
WORKDIR /etc/lychgate
# By number, so that an orchestrator can see that it is not root. This user has to be able to read the private keys.
USER 1000:1000
# As non-root: see "sysctls" in compose.yaml.
EXPOSE 443 80

# The first SIGTERM drains, a second one ends at once.
STOPSIGNAL SIGTERM
# No shell and no curl. Asks where the admin listener is by default; override it where "admin" says otherwise.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", "require('node:http').get('http://127.0.0.1:9443/healthz', (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', (error) => { console.error(error.message); process.exit(1); })"]

# SIGUSR1 never opens the inspector, not even before the first line of ours runs.
ENTRYPOINT ["node", "--disable-sigusr1", "/opt/lychgate/dist/main.js"]
CMD ["run"]
