/** The first settings.json of an administrator's folder, and the README that says what belongs where. */

/** Beside `hosts`, that of `config/settings.json` in the repository is the same. */
export function firstSettings(): string {
  return `// What IIS has no place for. Every key is optional; {} is a valid file.
{
  "$schema": "./settings.schema.json",

  // In place of the Windows hosts file: where the servers of applicationHost.config are.
  "hosts": {
    // "pool01.contoso.local": "10.0.0.20",
  },

  // More, with their defaults or a sample value. Take away the first two slashes of a line, and it is in force:
  // "addresses": { "203.0.113.10": "*" }, // what stands for one of the bindings: an address, eth0, or * (in a container)
  // "defaultCertificate": "webext.contoso.com", // what clients without SNI get (old phones)
  // "upstream": { "ca": "../certs/internal-ca.pem" }, // who signed the certificates of the servers
  // "tls": { "legacyListeners": ["203.0.113.5:443"] }, // where TLS 1.0 is still needed (Lync Phone Edition)
  // "publicAddresses": ["203.0.113.5"], // ours behind NAT: a server found there is a loop
  // "log": { "access": { "format": "w3c" } }, // columns that Log Parser knows
  // "stateFile": "../state/servers.json", // drained servers stay so over a restart; to be written by the service
  // "admin": { "tokenFile": "../state/admin.token" }, // asked of who drains: (umask 077; openssl rand -hex 32 > …)

  // Certificates of the public names: *.pfx (password in NAME.pfx.pass beside it), or *.crt or *.pem with *.key.
  "certificates": ["../certs"]
}
`;
}

export function folderReadme(): string {
  return `# What Lychgate publishes

- \`config/\`: applicationHost.config as IIS wrote it, web.config files in \`sites/SITE/APPLICATION PATH/\`, and settings.json
  for what IIS has no place for (settings.schema.json tells editors its keys).
- \`certs/\`: PFX files, each with its password in \`NAME.pfx.pass\`, or \`NAME.crt\` with \`NAME.key\`; \`SERVICE_USER\` must be able to read them.
- \`compose.yaml\`: the container, both folders mounted read-only (a second outer address: two more lines of \`ports\`); \`.env\`: what it asks for.

Check: \`docker compose run --rm lychgate validate\`. Start, and after a change of compose.yaml or \`.env\`: \`docker compose up --detach\`. After
a change in the folders: \`docker compose restart proxy\`. Look: \`docker compose exec proxy lychgate status\`, \`docker compose logs proxy\`.
Without a container: \`lychgate validate\`, \`lychgate run\` in this folder; from a checkout as its README.md says, not under npm.
`;
}
