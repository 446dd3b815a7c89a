/** compose.yaml and .env of an administrator's folder. The compose.yaml of the repository is this, for people to read. */

/** What compose.yaml asks .env for. */
const ADDRESSES = {
  OUTSIDE_ADDRESS: { meaning: 'address of the outer adapter', sample: '203.0.113.5' },
  INSIDE_ADAPTER: { meaning: 'name of the inner adapter', sample: 'eth1' },
  INSIDE_SUBNET: { meaning: 'network of the inner adapter', sample: '10.0.0.0/24' },
  INSIDE_ADDRESS: {
    meaning: 'a free address on the inner network that the servers will see',
    sample: '10.0.0.9',
  },
} as const;

/** That of the image. */
export const IMAGE_USER = '1000:1000';

/** @param user `uid:gid` of whoever can read the folder */
export function environmentFile(user: string): string {
  const entries = Object.entries(ADDRESSES).map(
    ([name, { meaning, sample }]) => `# ${meaning}, such as ${sample}\n${name}=\n`,
  );
  return `# What compose.yaml asks for. Nothing around the values: no blanks, no quotes.

${entries.join('')}# uid:gid that the service runs as: it must be able to read config and certs, and is not root
SERVICE_USER=${user}
# name of the project, where that of the folder will not do
# COMPOSE_PROJECT_NAME=
`;
}

/** Compose ends with the meaning where there is no value. */
function needed(name: keyof typeof ADDRESSES): string {
  const { meaning, sample } = ADDRESSES[name];
  return `\${${name}:?${meaning}, such as ${sample}}`;
}

export function composeFile(): string {
  return `# Lychgate on a DMZ host with two adapters: clients reach it on the outer one, it reaches the servers on the inner one.
# "lychgate init DIR" writes this file into a folder of your own, with .env beside it, which it asks for addresses.
#
#   docker compose run --rm lychgate validate
#   docker compose up --detach
#   docker compose exec proxy lychgate status
#
# Needs Docker Engine 28 and Compose 2.33.1 or newer (gw_priority).
#
# The project has the name of the folder; where another one has the same, COMPOSE_PROJECT_NAME in .env tells them apart.

x-image: &image
    # Made by "docker build --tag lychgate ." in the checkout. Nobody else's image of this name is fetched.
    image: lychgate
    pull_policy: never
    user: "\${SERVICE_USER:-${IMAGE_USER}}"
    # A process with number 1 ignores signals that it has not asked for yet. With this, a stop during the start works too.
    init: true
    # Nothing is written inside, so there is no tmpfs either; the command "demo" writes to /tmp (tmpfs: [/tmp]).
    read_only: true
    security_opt:
      - no-new-privileges:true
    # Nothing is added again. CAP_NET_BIND_SERVICE would not help: a capability that is added does not reach a user who
    # is not root, and no-new-privileges rules out giving it to the node binary.
    cap_drop:
      - ALL
    # Folders, not single files, so that a file that is replaced is seen inside.
    volumes:
      - type: bind
        source: ./config
        target: /etc/lychgate/config
        read_only: true
        bind:
          create_host_path: false
      - type: bind
        source: ./certs
        target: /etc/lychgate/certs
        read_only: true
        bind:
          create_host_path: false
      # For "../state/…" in settings.json ("stateFile", "admin": { "tokenFile" }, "log": { "access": { "file" } }): a folder
      # beside the others, of the account of the service. Of the state file not the file alone: it is replaced as a whole.
      # - type: bind
      #   source: ./state
      #   target: /etc/lychgate/state
      #   bind:
      #     create_host_path: false

services:
  # The command line, for what needs no network, as validate and trace. It claims no address and no port, so that it
  # runs beside the service and before it; "up" does not start it. What asks the service is run in that:
  # docker compose exec proxy lychgate status
  lychgate:
    <<: *image
    profiles: [command]
    network_mode: none

  proxy:
    <<: *image
    restart: unless-stopped
    # Longer than "timeouts": { "drain": 30 } of settings.json plus the 5 seconds after which a worker that hangs is ended.
    stop_grace_period: 45s

    # The first is what lets a non-root user listen on 80 and 443. All hold for this container's network alone. With
    # network_mode: host none of these can stand here; set them on the host: sysctl -w net.ipv4.ip_unprivileged_port_start=80
    sysctls:
      net.ipv4.ip_unprivileged_port_start: 80
      # What the kernel buffers of one connection, in bytes: at least, at first, at most. Its own most, 4 and 6 MB and more, lets
      # some hundred clients that take nothing fill the TCP memory of the host. 1 MB carries 80 Mbit/s over 100 ms.
      net.ipv4.tcp_wmem: 4096 16384 1048576
      net.ipv4.tcp_rmem: 4096 131072 1048576
    # Each client connection may need one to a server: twice "limits": { "connections": 20000 }, and some for the rest.
    ulimits:
      nofile: 65536
    pids_limit: 512

    # The admin listener stays on the loopback address inside; the image's HEALTHCHECK asks it there.
    # Bindings for addresses of the old server: the container has none of them, so let "*" stand for each by "addresses" in
    # settings.json, and publish the ports here on every address that clients connect to.
    ports:
      - "${needed('OUTSIDE_ADDRESS')}:443:443"
      - "${needed('OUTSIDE_ADDRESS')}:80:80"
    networks:
      outside:
        # Answers to clients leave where the requests came in.
        gw_priority: 1
      inside:
        ipv4_address: ${needed('INSIDE_ADDRESS')}

    # Service log and access log go to standard output. The default driver never drops old lines and fills the disk.
    logging:
      driver: local
      options:
        max-size: 50m
        max-file: "10"

networks:
  outside:
    driver: bridge
  # Straight on the inner adapter, without address translation. Only INSIDE_SUBNET is reached this way, and not the host
  # itself. Servers behind a further router need static routes, which Compose cannot set: use network_mode: host with the
  # routes of the host then (and drop "ports", "networks" and "sysctls").
  # Not "internal: true": Docker would put this network on a dummy adapter.
  inside:
    driver: ipvlan
    driver_opts:
      parent: ${needed('INSIDE_ADAPTER')}
    ipam:
      config:
        - subnet: ${needed('INSIDE_SUBNET')}
`;
}
