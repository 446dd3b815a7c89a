/** The account that the service runs as: root needs nothing that it does, and gives whoever breaks into it the whole machine. */
import { readFileSync } from 'node:fs';
import type { Report } from '../config/diagnostic.ts';
import type { SettingsConfig } from '../config/settings-model.ts';

/** Reports LG6034. At the start alone: whoever runs `validate` is seldom the service. */
export function checkAccount(
  { file }: Pick<SettingsConfig, 'file'>,
  report: Report,
  { uid, uidMap }: Account = ownAccount(),
): void {
  if (uid !== 0 || !IDENTICAL.test(uidMap)) return;
  report(
    'LG6034',
    { file, start: 0, end: 0 },
    {
      message: 'The service runs as root, so a hole in it would be one in the whole machine.',
      advice:
        'Run it as an account of its own; ports below 1024 it gets by "sysctl -w net.ipv4.ip_unprivileged_port_start=80", or by "AmbientCapabilities=CAP_NET_BIND_SERVICE" of a systemd unit.',
    },
  );
}

export interface Account {
  /** Absent on Windows. */
  readonly uid: number | undefined;
  /** `/proc/self/uid_map`; `''` where there is none. */
  readonly uidMap: string;
}

/** All of the machine's accounts as they are. In a user namespace, as rootless containers have it, root is another account outside. */
const IDENTICAL = /^(?:\s*0\s+0\s+4294967295\s*)?$/;

function ownAccount(): Account {
  return { uid: process.getuid?.(), uidMap: readOrEmpty('/proc/self/uid_map') };
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
