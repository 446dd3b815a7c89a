/** Checks that need the whole model: site ids, colliding bindings, retired and unreadable farm settings. */

import { comparedName, doubtAbout, internationalAuthority, isInternational } from '../host-name.ts';
import { nearest } from '../nearest.ts';
import type { Report, Span } from './diagnostic.ts';
import type { BindingConfig, SiteConfig } from './model.ts';
import { boolOf, childOf, entriesOf, numberOf, stringOf, textOf } from './schema.ts';
import type { SectionNode } from './section-tables.ts';
import { checkServerAddress } from './server-address.ts';
import type { FarmSettings } from './settings-model.ts';
import { forms, type TextForm } from './settings-table.ts';
import type { Text } from './text.ts';

/** Two sites with one id, and bindings that cannot be open at the same time. */
export function checkSites(sites: readonly SiteConfig[], report: Report): void {
  const ids = new Map<number, SiteConfig>();
  const bindings = new Map<string, { site: SiteConfig; binding: BindingConfig }>();
  const protocols = new Map<string, BindingConfig>();
  for (const site of sites) {
    const sameId = ids.get(site.id);
    if (sameId !== undefined && site.id !== 0) reportId(site, sameId, report);
    ids.set(site.id, site);
    for (const binding of site.bindings) {
      checkCollision(site, binding, bindings, report);
      checkProtocol(binding, protocols, report);
    }
  }
}

function reportId(site: SiteConfig, first: SiteConfig, report: Report): void {
  report('LG5005', site.span, {
    message: `Site "${site.name}" has the id ${site.id} of site "${first.name}".`,
    advice: 'Give it an id of its own.',
    iis: {
      status: '500.19',
      text: `Cannot add duplicate collection entry of type 'site' with unique key attribute 'id' set to '${site.id}'`,
    },
    related: { span: first.span, message: 'the other site' },
  });
}

function checkCollision(
  site: SiteConfig,
  binding: BindingConfig,
  seen: Map<string, { site: SiteConfig; binding: BindingConfig }>,
  report: Report,
): void {
  const key = `${binding.address} ${binding.port} ${binding.host}`;
  const first = seen.get(key);
  if (first === undefined) {
    seen.set(key, { site, binding });
  } else if (first.site === site) {
    checkTwice(site, binding, first.binding, report);
  } else {
    report('LG5010', binding.span, {
      message: `Site "${first.site.name}" has the same binding, ${describe(binding)}; IIS would start only one of the two sites.`,
      advice: 'Give one of them another host name, address or port.',
      related: { span: first.binding.span, message: 'the other binding' },
    });
  }
}

/** One name in two spellings; that the same text stands there twice has been told. */
function checkTwice(site: SiteConfig, binding: BindingConfig, first: BindingConfig, report: Report): void {
  const [one, other] = [first, binding].map(({ written, host }) => (written ?? host).toLowerCase());
  if (binding.protocol !== first.protocol || one === other) return;
  // IIS may compare them as they are written, and load the file.
  report('LG5007', binding.span, {
    message: `Site "${site.name}" has the binding ${describe(binding)} twice: "${one}" and "${other}" are one host.`,
    advice: 'Remove one of the two.',
    related: { span: first.span, message: 'the other binding' },
  });
}

function checkProtocol(binding: BindingConfig, seen: Map<string, BindingConfig>, report: Report): void {
  const key = `${binding.address} ${binding.port}`;
  const first = seen.get(key);
  if (first === undefined) seen.set(key, binding);
  else if (first.protocol !== binding.protocol) {
    report('LG5012', binding.span, {
      message: `Port ${binding.port} of ${binding.address} is bound for ${first.protocol} and for ${binding.protocol}.`,
      advice: 'Use another port or address for one of them.',
      related: { span: first.span, message: 'the other binding' },
    });
  }
}

function describe(binding: BindingConfig): string {
  return `${binding.address}:${binding.port}:${binding.host}`;
}

const retired = new Set(['LeastRequests', 'LeastResponseTime', 'WeightedTotalTraffic']);

/**
 * What a farm says that is not carried out as it stands.
 * @param settings what settings.json says of it
 * @param settingsElsewhere it says something of a farm that is not there, which may be this one
 */
export function checkFarm(
  farm: SectionNode,
  settings: FarmSettings | undefined,
  settingsElsewhere: boolean,
  report: Report,
): void {
  const routing = childOf(farm, 'applicationRequestRouting');
  const balancing = childOf(routing, 'loadBalancing');
  const algorithm = stringOf(balancing, 'algorithm');
  const text = textOf(balancing, 'algorithm');
  const name = stringOf(farm, 'name');
  if (text !== undefined && retired.has(algorithm) && settings?.algorithm === undefined && !settingsElsewhere) {
    report('LG3010', text.span, {
      message: `${algorithm} is retired: ARR 3 and Lychgate use WeightedRoundRobin in its place.`,
      advice: `Write WeightedRoundRobin; for least requests "farms": { ${JSON.stringify(name)}: { "algorithm": "LeastRequests" } } in settings.json.`,
    });
  }
  const protocol = childOf(routing, 'protocol');
  const cure = `Name the certificate in settings.json, "farms": { "${name}": { "clientCertificate": { "pfx": "NAME.pfx", "passphraseFile": "NAME.pfx.pass" } } }: what stands here has no effect then. Or remove clientCertPassword, and write the password into a file NAME.pfx.pass beside the PFX.`;
  if (settings?.clientCertificate === undefined) checkPassword(protocol, cure, report);
  checkForwarding(protocol, report);
  checkHostName(textOf(protocol, 'alternateHostName'), report);
  for (const server of entriesOf(farm)) {
    const own = childOf(server, 'applicationRequestRouting');
    checkServerAddress(textOf(server, 'address'), report);
    const names = [textOf(server, 'address'), textOf(own, 'hostName'), textOf(own, 'healthCheckAlternateHostName')];
    for (const each of names) checkHostName(each, report);
  }
  const health = childOf(routing, 'healthCheck');
  checkHealth(health, report);
  checkMinServers(health, entriesOf(farm).filter((server) => boolOf(server, 'enabled')).length, report);
}

/** Letters beyond ASCII that no name can have would be asked for, and sent, as they are. */
function checkHostName(text: Text | undefined, report: Report): void {
  if (text === undefined || !isInternational(text.value)) return;
  if (internationalAuthority(text.value) !== undefined) {
    const doubt = doubtAbout(text.value);
    if (doubt) report('LG1030', text.span, doubt);
    return;
  }
  report('LG3025', text.span, {
    message: `"${text.value}" can be no name of a host: it has no form in ASCII (IDNA).`,
    advice: 'Write the name in the ASCII form (xn--…) that DNS has.',
  });
}

/** What ARR loads in any form, and what cannot be carried out as it stands. */
function checkHealth(node: SectionNode, report: Report): void {
  const check = (code: 'LG3113' | 'LG3114' | 'LG3115', name: string, form: TextForm, cure: string) => {
    const text = textOf(node, name);
    if (text === undefined || (name === 'url' && text.value === '') || form.fits(text.value)) return;
    report(code, text.span, { message: `${name} is not ${form.what}.`, advice: cure });
  };
  check('LG3113', 'url', forms.absoluteUrl, 'Write the whole URL, with http or https and a host.');
  check('LG3114', 'statusCodeMatch', forms.statusCodes, 'Write codes and ranges, or remove it for 200-399.');
  check('LG3115', 'liveTrafficFailureCodes', forms.statusCodes, 'Write codes and ranges, or remove it for 500-.');
  checkLiveTraffic(node, report);
  const interval = textOf(node, 'interval');
  if (interval !== undefined && numberOf(node, 'interval') === 0 && stringOf(node, 'url') !== '') {
    report('LG3116', interval.span, {
      message: 'With an interval of 0 the URL test is never made by itself.',
      advice: 'Write interval="00:00:30", or remove url.',
    });
  }
  const retries = textOf(node, 'retries');
  if (retries !== undefined && numberOf(node, 'retries') > MOST_RETRIES) {
    report('LG3007', retries.span, {
      message: `retries is above ${MOST_RETRIES}: the most in IIS's schema, which does not check it.`,
      advice: `Write a number from 0 to ${MOST_RETRIES}.`,
    });
  }
}

/** ARR takes any number. Of a single server nobody could tell the difference. */
function checkMinServers(node: SectionNode, servers: number, report: Report): void {
  const text = textOf(node, 'minServers');
  const least = numberOf(node, 'minServers');
  if (text === undefined || servers < 2 || least < servers) return;
  report('LG3117', text.span, {
    message: `With minServers="${least}" all ${servers} servers get requests, whatever the health checks find.`,
    advice: `Write a number below ${servers}, or remove it: without it a farm without a healthy server answers 502.4.`,
  });
}

/** The \`validationParameter\` of the schema, which names no validator. */
const MOST_RETRIES = 20;

function checkLiveTraffic(node: SectionNode, report: Report): void {
  if (numberOf(node, 'liveTrafficFailurePeriod') !== 0) return;
  for (const name of ['liveTrafficFailureCodes', 'maxLiveTrafficFailures']) {
    const text = textOf(node, name);
    if (text === undefined) continue;
    report('LG3112', text.span, {
      message: `${name} has no effect: with a liveTrafficFailurePeriod of 0 live traffic is not tested.`,
      advice: 'Write liveTrafficFailurePeriod="00:00:20", or remove it.',
    });
  }
}

/** The same of `system.webServer/proxy`. */
export function checkProxy(node: SectionNode, report: Report): void {
  const cure =
    'Remove clientCertPassword, and write the password into a file NAME.pfx.pass beside the PFX; or name the certificate by clientCertHash.';
  checkPassword(node, cure, report);
  checkForwarding(node, report);
}

/** An encrypted password can be read on the machine that wrote it and nowhere else. A thumbprint needs none. */
function checkPassword(node: SectionNode, advice: string, report: Report): void {
  const password = textOf(node, 'clientCertPassword');
  const match = /^\[enc:[^:]*:(.*):enc\]$/s.exec(password?.value ?? '');
  if (password === undefined || match === null || match[1] === '' || stringOf(node, 'clientCertHash') !== '') return;
  report('LG3009', password.span, {
    message: 'clientCertPassword is encrypted with a key of the Windows machine that wrote it.',
    advice,
  });
}

function checkForwarding(node: SectionNode, report: Report): void {
  const outgoing = [textOf(node, 'proxy'), textOf(node, 'proxyBypass')].find(
    (text) => text && text.value.trim() !== '',
  );
  if (outgoing !== undefined) {
    report('LG3020', outgoing.span, {
      message: 'Servers are asked directly: a forward proxy on the way to them is not used.',
      advice: 'Let this machine reach the servers directly, and remove the attribute.',
    });
  }
  const buffer = textOf(node, 'minResponseBuffer');
  const held = Math.min(numberOf(node, 'minResponseBuffer'), numberOf(node, 'responseBufferLimit'));
  if (buffer !== undefined && held > 0) {
    report('LG3021', buffer.span, {
      message: `Answers are held back until ${held} KB are there or they end: what servers send bit by bit, such as the progress of a long request, arrives late.`,
      advice: 'Write minResponseBuffer="0" to pass answers on as they come, or leave the attribute out.',
    });
  }
}

/** Farms that settings.json speaks of must exist. */
export function checkFarmSettings(
  named: readonly { readonly name: string; readonly span: Span }[],
  farms: readonly SectionNode[],
  report: Report,
): void {
  const known = farms.map((farm) => stringOf(farm, 'name'));
  const names = new Set(known.map(comparedName));
  for (const { name, span } of named) {
    if (names.has(comparedName(name))) continue;
    const near = nearest(name, known);
    report('LG6006', span, {
      message: `There is no web farm "${name}".`,
      advice:
        near === undefined ? 'Write the name of a <webFarm>, or remove the entry.' : `Did you mean the farm "${near}"?`,
    });
  }
}

/** Entries of every `webFarms` section in order. */
export function farmNodes(sections: readonly SectionNode[]): readonly SectionNode[] {
  return sections.flatMap(entriesOf);
}
