/** Whether a section may stand where it stands: declarations in configSections, and `<location>` that locks and unlocks. */
import type { Span } from './diagnostic.ts';
import { type FileKind, refuseWebFarms, type SectionUse } from './file-sections.ts';
import type { KnownSections } from './known-sections.ts';
import { FRAGMENT_SITE, type LoadSession } from './load-session.ts';
import type { DefaultLock } from './unserved-sections.ts';
import type { XmlElement } from './xml.ts';

export interface ConfigFile {
  readonly file: string;
  readonly kind: FileKind;
  readonly root: XmlElement;
  /** Of a web.config. */
  readonly site?: string;
  readonly path: string;
}

/** A place in the tree of levels. */
export interface Place {
  /** Absent for the whole server. */
  readonly site?: string;
  /** URL path, `/` or `/a/b`. */
  readonly path: string;
}

/** A section that a location element locks or unlocks for the files below its own. */
export interface Override extends Place {
  readonly section: string;
  readonly mode: 'Allow' | 'Deny';
  /** Of the file that says so: -1 for applicationHost.config. */
  readonly fileDepth: number;
  readonly span: Span;
}

function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '');
}

/** How far below the root of its site a path is. */
export function depthOf(path: string): number {
  return partsOf(path).length;
}

/** The level of the server first, then outer paths before inner ones. */
export function rankOf({ site, path }: Place): number {
  return site === undefined ? -1 : depthOf(path);
}

/** True where the inner URL path is the outer one or below it. */
export function containsPath(outer: string, inner: string): boolean {
  const whole = (path: string) =>
    `/${partsOf(path.toLowerCase())
      .map((part) => `${part}/`)
      .join('')}`;
  return whole(inner).startsWith(whole(outer));
}

/** The same of places. */
export function contains(outer: Place, inner: Place): boolean {
  if (outer.site === undefined) return true;
  return outer.site.toLowerCase() === inner.site?.toLowerCase() && containsPath(outer.path, inner.path);
}

/** Where a section counts: the level of its file, moved by its location element. */
export function placeOf(use: SectionUse, file: ConfigFile): Place {
  const parts = partsOf(use.location?.path ?? '');
  if (file.kind === 'applicationHost') {
    const [site, ...path] = parts;
    return { ...(site === undefined ? {} : { site }), path: `/${path.join('/')}` };
  }
  return {
    ...(file.site === undefined ? {} : { site: file.site }),
    path: `/${[...partsOf(file.path), ...parts].join('/')}`,
  };
}

function fileDepth(file: ConfigFile): number {
  return file.kind === 'applicationHost' ? -1 : depthOf(file.path);
}

/** Notes what the location element around a section locks or unlocks. */
export function noteOverride(use: SectionUse, file: ConfigFile, into: Override[]): void {
  const mode = use.location?.overrideMode ?? 'Inherit';
  if (mode === 'Inherit' || use.location === undefined) return;
  into.push({ ...placeOf(use, file), section: use.path, mode, fileDepth: fileDepth(file), span: use.location.span });
}

/** The innermost location element of a file above that says something about the section here. */
function overrideFor(use: SectionUse, file: ConfigFile, overrides: readonly Override[]): Override | undefined {
  const place = placeOf(use, file);
  return overrides
    .filter((one) => one.section === use.path && one.fileDepth < fileDepth(file) && contains(one, place))
    .toSorted((one, other) => rankOf(one) - rankOf(other) || one.fileDepth - other.fileDepth)
    .at(-1);
}

const lockedText =
  'This configuration section cannot be used at this path. This happens when the section is locked at a parent level. ' +
  'Locking is either by default (overrideModeDefault="Deny"), or set explicitly by a location tag with ' +
  'overrideMode="Deny" or the legacy allowOverride="false".';

/** True where the section is refused so firmly that its content must not count. */
export function isRefusedHere(
  use: SectionUse,
  file: ConfigFile,
  known: KnownSections,
  overrides: readonly Override[],
  session: LoadSession,
): boolean {
  if (use.path === 'webFarms' && (file.kind === 'web.config' || use.location !== undefined)) {
    refuseWebFarms(use.element, session.report, lockedText);
    return true;
  }
  if (file.kind === 'fragment') return false;
  const serverOnly = known.serverOnly.has(use.path);
  if (file.kind === 'applicationHost') {
    if (!serverOnly || (use.location?.path ?? '') === '') return false;
    refuseLocked(use, file, true, undefined, session);
    return true;
  }
  const override = overrideFor(use, file, overrides);
  const locked = override === undefined ? known.denied.has(use.path) : override.mode === 'Deny';
  if (serverOnly || locked) {
    refuseLocked(use, file, serverOnly, serverOnly ? undefined : override, session);
    // Its content is still worth checking, but what belongs to the server alone never counts.
    return serverOnly;
  }
  return false;
}

/** What IIS's own file says of a section in a web.config, where no file that was read says anything. */
export function defaultLock(
  use: SectionUse,
  file: ConfigFile,
  known: KnownSections,
  overrides: readonly Override[],
): DefaultLock | undefined {
  if (file.kind !== 'web.config' || known.denied.has(use.path) || !known.deniedByDefault.has(use.path))
    return undefined;
  if (overrideFor(use, file, overrides) !== undefined) return undefined;
  return { home: homeOf(file), iis: { status: '500.19', text: lockedText } };
}

function homeOf({ site }: ConfigFile): string {
  const path = site === undefined || site === FRAGMENT_SITE ? 'Site Name' : site;
  return `Move it to applicationHost.config, into <location path="${path}"> if only this site needs it`;
}

function refuseLocked(
  { element }: SectionUse,
  file: ConfigFile,
  serverOnly: boolean,
  override: Override | undefined,
  { report }: LoadSession,
): void {
  const outside = serverOnly ? ', outside every <location>' : '';
  const message =
    override === undefined
      ? `<${element.name}> is locked here: it stands in applicationHost.config only${outside}.`
      : `<${element.name}> is locked here by a <location> of ${override.span.file}.`;
  const home = homeOf(file);
  const advice = override === undefined ? `${home}.` : `${home}, or write overrideMode="Allow" on that <location>.`;
  report('LG1012', element.nameSpan, {
    message,
    advice: serverOnly ? 'Move it to applicationHost.config.' : advice,
    iis: { status: '500.19', text: lockedText },
    ...(override === undefined ? {} : { related: { span: override.span, message: 'the lock' } }),
  });
}
