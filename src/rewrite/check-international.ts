/** Names in letters beyond ASCII where rules ask for a host or lead to one: here they are taken in ASCII, on IIS as they stand. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { RewriteMapConfig, RuleConfig, RuleSetConfig } from '../config/rewrite-model.ts';
import { asciiName, doubtAbout, internationalAuthority, isInternational } from '../host-name.ts';
import { readTarget, textOf } from './action-target.ts';
import type { TargetSurroundings } from './target-surroundings.ts';
import { type Part, readTemplate } from './template.ts';

/** Hosts of which something else is told, or nothing need be: a rule finds a farm by its letters on IIS, too. */
export type KnownHosts = Pick<TargetSurroundings, 'farms' | 'farmMeant' | 'ownHosts'>;

export function checkInternational(set: RuleSetConfig, known: KnownHosts, report: Report): void {
  const asked = new Set(set.rules.filter(({ enabled }) => enabled).flatMap(mapsAskedForHost));
  for (const map of set.rewriteMaps) if (asked.has(map.name.value.toLowerCase())) checkKeys(map, report);
  for (const rule of set.rules) if (rule.enabled && !rule.faulty) checkHost(rule, known, report);
}

const HOST = /^(?:HTTP_HOST|SERVER_NAME|HTTP_X_(?:FORWARDED_|ORIGINAL_)?HOST)$/i;

/** Names of what is called with the host of a request, lower case: functions among them. */
function mapsAskedForHost({ conditions, serverVariables, action }: RuleConfig): readonly string[] {
  const texts = [
    ...(conditions?.entries ?? []).map(({ input }) => input),
    ...serverVariables.map(({ value }) => value),
    action.url,
  ];
  return texts.flatMap((text) => (text?.value.includes(':') ? callsWithHost(readTemplate(text.value).parts) : []));
}

function callsWithHost(parts: readonly Part[]): readonly string[] {
  return parts.flatMap((part) => {
    if (part.kind !== 'call') return [];
    const inner = callsWithHost(part.argument);
    const [only, more] = part.argument;
    const isHost = more === undefined && only?.kind === 'variable' && HOST.test(only.name);
    return isHost || inner.length > 0 ? [part.name.toLowerCase(), ...inner] : [];
  });
}

function checkKeys({ entries }: RewriteMapConfig, report: Report): void {
  const keys = new Set(entries.map(({ key }) => key.value.toLowerCase()));
  for (const { key } of entries) {
    const ascii = isInternational(key.value) ? internationalAuthority(key.value) : undefined;
    if (!ascii?.includes('xn--') || keys.has(ascii)) continue;
    report('LG2207', key.span, {
      message: `Clients send international names in ASCII, and on IIS no host is found under "${key.value}". Here it is looked up as "${ascii}".`,
      advice: `Write "${ascii}", which is the same for both.`,
    });
  }
}

function checkHost(rule: RuleConfig, known: KnownHosts, report: Report): void {
  const { url, type } = rule.action;
  if (!url || (type !== 'Rewrite' && type !== 'Redirect') || !isInternational(url.value)) return;
  const target = readTarget(readTemplate(url.value).parts, type);
  const [name = '', port = ''] = target.kind === 'absolute' ? splitPort(textOf(target.host) ?? '') : [];
  const ascii = isInternational(name) ? asciiName(name) : undefined;
  if (target.kind !== 'absolute' || ascii === undefined || doubtAbout(name) !== undefined) return;
  const { farms, farmMeant, ownHosts } = known;
  if (type === 'Rewrite' && (farms.has(ascii) || ownHosts.has(ascii) || farmMeant(rule, ascii) !== undefined)) return;
  report('LG2207', spanWithin(url, target.from, target.to), {
    message: `The host "${name}" is ${type === 'Redirect' ? 'sent' : 'looked up'} here in ASCII, as "${ascii}"; whether IIS does so is not confirmed.`,
    advice: `Write "${ascii}${port}", which is the same for both.`,
  });
}

function splitPort(authority: string): readonly [name: string, port: string] {
  const port = /:\d*$/.exec(authority)?.[0] ?? '';
  return [authority.slice(0, authority.length - port.length), port];
}
