/** What can be wrong with the host that a rule sends requests to: there is none, it can be none, or IIS would not go there. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { doubtAbout, isUrlHost } from '../host-name.ts';
import { splitAuthority } from './action.ts';
import { checkComputedHost } from './check-computed-host.ts';
import { type Destination, hostSpan } from './destination.ts';
import { compilePattern, isFault } from './pattern.ts';
import type { TargetSurroundings } from './target-surroundings.ts';
import type { Part } from './template.ts';

export function checkHost(
  rule: RuleConfig,
  destination: Destination,
  surroundings: TargetSurroundings,
  report: Report,
): void {
  for (const authority of written(rule, destination, surroundings)) {
    checkWrittenHost(rule, authority, destination, surroundings, report);
  }
  if (rule.faulty || surroundings.mapsMisread) return;
  if (!destination.certain) checkComputedHost(rule, destination, surroundings, report);
  else checkLacking(rule, destination, surroundings, report);
}

/** A Location may lead anywhere, but it needs a host. */
export function checkLocation(
  rule: RuleConfig,
  destination: Destination,
  surroundings: TargetSurroundings,
  report: Report,
): void {
  const authorities = written(rule, destination, surroundings);
  const wrong = authorities.find((each) => !isUrlHost(split(each, destination, false)?.host ?? ''));
  if (wrong !== undefined) reportNoHost(rule, wrong, destination, report);
  for (const authority of authorities) reportDoubt(rule, authority, destination, report);
  if (rule.faulty || surroundings.mapsMisread || destination.syntax.kind !== 'absolute') return;
  checkLacking(rule, destination, surroundings, report);
}

/** Without those that come out only where something else is empty, and without one that may come from what was not read. */
function written(
  { faulty }: RuleConfig,
  { syntax, authorities, lacking }: Destination,
  { mapsMisread }: TargetSurroundings,
): readonly string[] {
  const isRead = !(faulty || mapsMisread) || (syntax.kind === 'absolute' && syntax.host.length === 0);
  return authorities.filter((each) => !lacking?.authorities.includes(each) && (each !== '' || isRead));
}

function split(authority: string, { anyPort }: Destination, literal: boolean): ReturnType<typeof splitAuthority> {
  return /^https?:$/.test(authority) ? undefined : splitAuthority(anyPort ? `${authority}:1` : authority, literal);
}

function reportNoHost(rule: RuleConfig, authority: string, destination: Destination, report: Report): void {
  const { url } = rule.action;
  if (!url) return;
  if (authority === '') {
    report('LG2235', url.span, {
      message: `"${url.value}" names no host.`,
      advice: hostAdvice(url.value, destination),
    });
    return;
  }
  const twice = /^https?(?=:$)/.exec(authority)?.[0];
  const { syntax } = destination;
  const computed = syntax.kind === 'absolute' && syntax.host.some(({ kind }) => kind !== 'text');
  report('LG2235', hostSpan(rule, destination), {
    message:
      twice === undefined
        ? `"${authority}" is no host with an optional port.`
        : `Behind "://" comes "${twice}://" once more, so that the host would be "${twice}".`,
    advice:
      twice === undefined
        ? 'Write the name of a farm or host, and :port if it is needed.'
        : computed
          ? `Write the value without "${twice}://", or leave the scheme out of the URL.`
          : 'Write it once.',
  });
}

/** Of `http:///app01/x` the host is there, behind one slash too many. */
function hostAdvice(url: string, { syntax }: Destination): string {
  if (syntax.kind !== 'absolute') return 'Write the name of a farm or host into the value.';
  const begin = url.slice(0, syntax.from);
  const meant = url.slice(syntax.to).replace(/^[/\\]+/, '');
  return /^[a-z0-9[]/i.test(meant)
    ? `Write "${begin}${meant}".`
    : `Write the name of a farm or host behind "${begin}".`;
}

function reportDoubt(rule: RuleConfig, authority: string, destination: Destination, report: Report): void {
  const doubt = doubtAbout(authority.replace(/:\d*$/, ''));
  if (doubt) report('LG1030', hostSpan(rule, destination), doubt);
}

/** A key that a map has not gives its default, and that is empty most often. */
function checkLacking(
  rule: RuleConfig,
  { syntax, lacking }: Destination,
  { isLast }: Pick<TargetSurroundings, 'isLast'>,
  report: Report,
): void {
  const { url } = rule.action;
  const textOfPart = ({ from, to }: Part) => url?.value.slice(from, to) ?? '';
  const part = lacking?.parts.find((each) => !isGuarded(rule, textOfPart(each)));
  if (!url || !lacking || !part) return;
  // A later rule may be there for just that.
  if (syntax.kind === 'open' && !rule.stopProcessing && !isLast) return;
  const [name] = lacking.authorities;
  const fate =
    name === undefined
      ? 'the new URL is then a path of this site, and where no other rule takes it, it is answered with 404'
      : `such a request has ${name === '' ? 'no host to go to' : `only "${name}" to go to, which is no host`}, and is answered with 400`;
  const isMap = part.kind === 'call';
  report('LG2239', spanWithin(url, part.from, part.to), {
    message: `${textOfPart(part)} can come out empty${isMap ? ', for a key that the map does not have' : ''}: ${fate}.`,
    advice: isMap
      ? `Add the condition input="${textOfPart(part)}" pattern="(.+)", or give the map a defaultValue.`
      : 'Let its group take something always: (.+) instead of (.*), and no ? behind it.',
  });
}

/** A condition that holds only where the same expression is not empty. */
function isGuarded({ conditions, patternSyntax }: RuleConfig, expression: string): boolean {
  if (conditions?.logicalGrouping === 'MatchAny' && conditions.entries.length > 1) return false;
  return (conditions?.entries ?? []).some(({ input, pattern, ignoreCase, negate }) => {
    if (!pattern || input?.value.toLowerCase() !== expression.toLowerCase()) return false;
    const compiled = compilePattern(patternSyntax, pattern.value, ignoreCase);
    return !isFault(compiled) && (compiled.match('') === undefined) === !negate;
  });
}

function checkWrittenHost(
  rule: RuleConfig,
  authority: string,
  destination: Destination,
  { farms, farmMeant, farmsMisread, ownHosts, proxyEnabled }: TargetSurroundings,
  report: Report,
): void {
  const span = hostSpan(rule, destination);
  const host = split(authority, destination, true)?.host;
  if (host !== undefined && (farms.has(host) || farmsMisread)) return;
  if (host === undefined || !isUrlHost(host)) {
    reportNoHost(rule, authority, destination, report);
    return;
  }
  const meant = farmMeant(rule, host);
  // Where a farm is meant, its name is what is to be written.
  if (meant === undefined) reportDoubt(rule, authority, destination, report);
  const written = asWritten(host, rule);
  if (!proxyEnabled) {
    const others = 'Name a farm of webFarms, or set enabled="true" on system.webServer/proxy.';
    report('LG2230', span, {
      subject: host,
      message: `"${written}" is not the name of a web farm, and system.webServer/proxy is not enabled: IIS would answer 404.`,
      advice: meant === undefined ? others : `Did you mean the farm "${meant}"? ${others}`,
    });
  } else if (meant !== undefined && !ownHosts.has(host)) {
    report('LG2237', span, {
      subject: host,
      message: `"${written}" is not the name of a web farm, so requests go straight to a host of that name; there is a farm "${meant}".`,
      advice: `Did you mean the farm "${meant}"? If the host is meant, give its address in "hosts" of settings.json.`,
    });
  }
}

/** In the letters of the file, where the rule itself has it. */
function asWritten(host: string, { action: { url } }: RuleConfig): string {
  const text = url?.value ?? '';
  const at = text.toLowerCase().indexOf(host);
  return at < 0 || text.toLowerCase().length !== text.length ? host : text.slice(at, at + host.length);
}
