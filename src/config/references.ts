/** Checks that need the whole model: site ids, colliding bindings, retired and unreadable farm settings. */
import type { Report, Span } from './diagnostic.ts';
import type { BindingConfig, SettingsConfig, SiteConfig } from './model.ts';
import { childOf, entriesOf, type SectionNode, stringOf, textOf } from './schema.ts';

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
  } else if (first.site !== site) {
    report('LG5010', binding.span, {
      message: `Site "${first.site.name}" has the same binding, ${describe(binding)}; IIS would start only one of the two sites.`,
      advice: 'Give one of them another host name, address or port.',
      related: { span: first.binding.span, message: 'the other binding' },
    });
  }
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

/** What a farm says that is not carried out as it stands. */
export function checkFarm(farm: SectionNode, { farms }: Pick<SettingsConfig, 'farms'>, report: Report): void {
  const routing = childOf(farm, 'applicationRequestRouting');
  const balancing = childOf(routing, 'loadBalancing');
  const algorithm = stringOf(balancing, 'algorithm');
  const text = textOf(balancing, 'algorithm');
  const name = stringOf(farm, 'name');
  if (text !== undefined && retired.has(algorithm) && farms[name.toLowerCase()]?.algorithm === undefined) {
    report('LG3010', text.span, {
      message: `${algorithm} is retired: ARR 3 and Lychgate use WeightedRoundRobin in its place.`,
      advice: `Write WeightedRoundRobin; for least requests "farms": { ${JSON.stringify(name)}: { "algorithm": "LeastRequests" } } in settings.json.`,
    });
  }
  checkPassword(childOf(routing, 'protocol'), report);
}

/** An encrypted password can be read on the machine that wrote it and nowhere else. */
export function checkPassword(node: SectionNode, report: Report): void {
  const password = textOf(node, 'clientCertPassword');
  const match = /^\[enc:[^:]*:(.*):enc\]$/s.exec(password?.value ?? '');
  if (password === undefined || match === null || match[1] === '') return;
  report('LG3009', password.span, {
    message: 'clientCertPassword is encrypted with a key of the Windows machine that wrote it.',
    advice: 'Remove clientCertPassword and clientCertFileName.',
  });
}

/** Farms that settings.json speaks of must exist. */
export function checkFarmSettings(
  named: readonly { readonly name: string; readonly span: Span }[],
  farms: readonly SectionNode[],
  report: Report,
): void {
  const names = new Set(farms.map((farm) => stringOf(farm, 'name').toLowerCase()));
  for (const { name, span } of named) {
    if (names.has(name.toLowerCase())) continue;
    report('LG6006', span, {
      message: `There is no web farm "${name}".`,
      advice: 'Write the name of a <webFarm>, or remove the entry.',
    });
  }
}

/** Entries of every `webFarms` section in order. */
export function farmNodes(sections: readonly SectionNode[]): readonly SectionNode[] {
  return sections.flatMap(entriesOf);
}
