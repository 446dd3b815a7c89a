/** The web.config files of sites: which are read, and that none is passed over in silence. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import { writeFiles } from './written.ts';

const HOST = `<configuration><system.applicationHost><sites><site name="Public" id="1"><application path="/" /><bindings>
  <binding protocol="http" bindingInformation="*:80:" /></bindings></site></sites></system.applicationHost></configuration>`;
const web = (name: string) =>
  `<configuration><system.webServer><rewrite><rules><rule name="${name}"><match url="x" /><action type="None" /></rule></rules></rewrite></system.webServer></configuration>`;

interface Change {
  readonly link?: readonly (readonly [to: string, from: string])[];
  readonly then?: (folder: string) => void;
}

/** The rules in force at each path, and what is told: code, file, and the start of why. */
function load(files: readonly string[], { link = [], then }: Change = {}, settings = '{}') {
  const named = files.map((file, index) => [file, web(`r${index}`)] as const);
  const folder = writeFiles({
    'applicationHost.config': HOST,
    'settings.json': settings,
    ...Object.fromEntries(named),
  });
  for (const [to, from] of link) symlinkSync(to, join(folder, from));
  then?.(folder);
  const { config, diagnostics } = loadConfig(folder);
  const scopes = (config?.sites[0]?.scopes ?? []).map(
    ({ path, ruleSet }) => `${path}: ${ruleSet.rules.map(({ name }) => name.value).join(' ')}`,
  );
  return { scopes, told: diagnostics.map(({ code, span }) => `${code} ${relative(folder, span.file)}`) };
}

describe('what is read', () => {
  it.each<[string, readonly string[], Change, string[]]>([
    ['a folder that begins with a dot', ['sites/Public/.well-known/acme-challenge/web.config'], {}, ['/.well-known/acme-challenge: r0', '/: ']],
    ['one in the root of its site', ['sites/Public/.config/web.config', 'sites/Public/web.config'], {}, ['/.config: r1 r0', '/: r1']],
    ['a folder whose name is a dot and a blank more', ['sites/Public/. x/web.config'], {}, ['/. x: r0', '/: ']],
    ['a name in other letters', ['sites/Public/Web.Config'], {}, ['/: r0']],
    ['the folder of the sites in other letters', ['Sites/Public/WEB.CONFIG'], {}, ['/: r0']],
    ['the folder of the site in other letters', ['sites/PUBLIC/web.config'], {}, ['/: r0']],
    ['a folder of folders thirty deep', [`sites/Public/${'a/'.repeat(30)}web.config`], {}, [`${'/a'.repeat(30)}: r0`, '/: ']],
    ['a folder that two links lead to', ['shared/web.config', 'sites/Public/x/y'], { link: [['../../shared', 'sites/Public/one'], ['../../shared', 'sites/Public/two']] }, ['/one: r0', '/two: r0', '/: ']],
    ['a file behind a link out of the folder', ['shared/rules.config', 'sites/Public/x/y'], { link: [['../../shared/rules.config', 'sites/Public/web.config']] }, ['/: r0']],
    ['a volume of Kubernetes', ['sites/Public/..2026_11_30/web.config'], { link: [['..2026_11_30', 'sites/Public/..data'], ['..data/web.config', 'sites/Public/web.config']] }, ['/: r0']],
    ['past a link in a circle', ['sites/Public/app/web.config'], { link: [['..', 'sites/Public/app/up'], ['app', 'sites/Public/again']] }, ['/again: r0', '/app: r0', '/: ']],
  ])('%s, and nothing is told', (_, files, change, scopes) => {
    expect(load(files, change)).toEqual({ scopes, told: [] });
  }); // biome-ignore format: one row, one line

  it('a name that settings.json gives is no stray file', () => {
    const settings = '{ "iis": ["applicationHost.config", { "file": "web.config", "site": "Public" }] }';
    expect(load(['web.config'], {}, settings)).toEqual({ scopes: ['/: r0'], told: [] });
  });
});

describe('what is not read is told', () => {
  it.each<[string, readonly string[], Change, string[]]>([
    ['of no site', ['sites/Publik/web.config'], {}, ['LG1019 sites/Publik/web.config']],
    ['of no site, whose name begins with a dot', ['sites/.old/web.config'], {}, ['LG1019 sites/.old/web.config']],
    ['beside the folders of the sites', ['sites/web.config'], {}, ['LG1028 sites/web.config']],
    ['the same in other letters', ['sites/Web.config'], {}, ['LG1028 sites/Web.config']],
    ['above them', ['web.config'], {}, ['LG1028 web.config']],
    ['of a folder that stands beside "sites"', ['public/web.config'], {}, ['LG1028 public/web.config']],
    ['of two in one folder the one in other letters', ['sites/Public/web.config', 'sites/Public/Web.config'], {}, ['LG1028 sites/Public/Web.config']],
    ['of two folders the later one', ['sites/Public/App/web.config', 'sites/Public/app/web.config'], {}, ['LG1028 sites/Public/app/web.config']],
    ['of two folders of sites', ['sites/Public/web.config', 'sites/public/web.config'], {}, ['LG1028 sites/public/web.config']],
    ['of two folders of all sites', ['sites/Public/web.config', 'Sites/Public/web.config'], {}, ['LG1028 Sites/Public/web.config']],
    ['whose ending Windows hides', ['sites/Public/Web.config.txt'], {}, ['LG1028 sites/Public/Web.config.txt']],
    ['put aside, or misspelt', ['sites/Public/a/web.config.bak', 'sites/Public/webconfig'], {}, ['LG1028 sites/Public/webconfig', 'LG1028 sites/Public/a/web.config.bak']],
    ['but not a copy beside it', ['sites/Public/web.config', 'sites/Public/web.config.bak'], {}, []],
    ['a name with backslashes', ['sites/Public\\app\\web.config'], {}, ['LG1028 sites/Public\\app\\web.config']],
    ['the same within a site', ['sites/Public/x/app\\Web.config'], {}, ['LG1028 sites/Public/x/app\\Web.config']],
    ['a folder of two dots and more', ['sites/Public/..x/app/web.config'], {}, ['LG1028 sites/Public/..x/app/web.config']],
    ['a link to a folder that is gone', ['sites/Public/x/y'], { link: [['/gone/away', 'sites/Public/app']] }, ['LG1028 sites/Public/app']],
    ['a link to itself', ['sites/Public/web.config'], { link: [['app', 'sites/Public/app']] }, ['LG1028 sites/Public/app']],
    ['a site that is gone, of no site', ['sites/Public/web.config'], { link: [['/gone/away', 'sites/Other']] }, ['LG1028 sites/Other']],
  ])('%s', (_, files, change, told) => {
    expect(load(files, change).told).toEqual(told);
  }); // biome-ignore format: one row, one line

  it.each<[string, readonly string[], Change, string[]]>([
    ['a link to a file that is gone', ['sites/Public/x/y'], { link: [['/gone/web.config', 'sites/Public/web.config']] }, ['LG1001 sites/Public/web.config']],
    ['a folder of that name', ['sites/Public/web.config/web.config'], {}, ['LG1001 sites/Public/web.config']],
    ['a link to a site that is gone', ['sites/x/y'], { link: [['/gone/away', 'sites/Public']] }, ['LG1001 sites/Public']],
    ['a link to sites that are gone', ['x'], { link: [['/gone/away', 'sites']] }, ['LG1001 sites']],
    ['sites that are no folder', ['sites'], {}, ['LG1001 sites']],
  ])('as an error: %s', (_, files, change, told) => {
    expect(load(files, change).told).toEqual(told);
  }); // biome-ignore format: one row, one line

  it('a folder whose name is not UTF-8', () => {
    const then = (folder: string) =>
      mkdirSync(Buffer.concat([Buffer.from(`${folder}/sites/Public/d`), Buffer.of(0xe4)]));
    expect(load(['sites/Public/web.config'], { then }).told).toEqual(['LG1001 sites/Public/d\ufffd']);
  });

  it('other files than web.config are none of ours', () => {
    const then = (folder: string) => writeFileSync(join(folder, 'sites/Public/web.config.bak'), 'x');
    expect(load(['sites/Public/web.config', 'sites/README', 'other/web.config'], { then }).told).toEqual([]);
  });
});

describe('what is for a site that does not exist has its one finding, and no others', () => {
  const GUARDED =
    '<configuration><system.webServer><security><access sslFlags="SslRequireCert" /></security><foo /></system.webServer></configuration>';
  const advise = (files: Readonly<Record<string, string>>) => {
    const folder = writeFiles({ 'applicationHost.config': HOST, ...files });
    const { diagnostics } = loadConfig(folder);
    return diagnostics.map(({ code, span, advice }) => `${code} ${relative(folder, span.file)} ${advice}`);
  };
  const CURE = 'Did you mean "Public"? Name the folder after a site: "Public".';

  it.each([
    ['a section that guards', 'sites/Publik/web.config', GUARDED],
    ['in a folder of the site', 'sites/Pbulic/app/web.config', GUARDED],
    ['what is no XML', 'sites/Pubic/web.config', 'rules'],
    ['another root', 'sites/Publics/web.config', '<rules><rule /></rules>'],
    ['no end', 'sites/Intranet/web.config', '<configuration>'],
    ['too large', 'sites/Publc/web.config', `<configuration>${' '.repeat(260_000)}</configuration>`],
  ])('%s', (_, file, content) => {
    const near = !file.includes('Intranet');
    expect(advise({ [file]: content })).toEqual([`LG1019 ${file} ${near ? CURE : CURE.slice(CURE.indexOf('Name'))}`]);
  });

  it('a file that settings.json gives to it', () => {
    const settings = '{ "iis": ["applicationHost.config", { "file": "w.config", "site": "public1" }] }';
    expect(advise({ 'settings.json': settings, 'w.config': GUARDED })).toEqual([
      'LG6008 settings.json Did you mean "Public"? Write the name of a site: "Public".',
    ]);
  });

  it('a location', () => {
    const location =
      '<location path="Pubilc/x"><system.webServer><rewrite><rules /></rewrite></system.webServer></location>';
    const told = advise({ 'applicationHost.config': HOST.replace('</configuration>', `${location}</configuration>`) });
    expect(told).toEqual([
      'LG1019 applicationHost.config Did you mean "Public"? Begin the path with the name of a site: "Public".',
    ]);
  });

  it('where the sites could not be read the file is read as if it had one', () => {
    const host = HOST.replace('name="Public"', 'nme="Public"');
    const told = advise({ 'applicationHost.config': host, 'sites/Publik/web.config': GUARDED });
    expect(told.map((each) => each.slice(0, 6))).toEqual(['LG5001', 'LG1017', 'LG1008']);
  });

  it('the farm that its rules lead to is not said to be left out', () => {
    const host = HOST.replace(
      '</configuration>',
      '<webFarms><webFarm name="f"><server address="10.0.0.1" /></webFarm></webFarms></configuration>',
    );
    const folder = writeFiles({ 'applicationHost.config': host, 'sites/Publik/web.config': web('r') });
    expect(checkConfig(folder).diagnostics.map(({ code }) => code)).toEqual(['LG1019']);
  });
});
