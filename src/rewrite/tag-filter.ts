/** `filterByTags` and `customTags`: which attributes of which tags an outbound rule looks at. */
import type { OutboundMatchConfig, OutboundRulesConfig, TagFilter } from '../config/rewrite-model.ts';

/** Attribute names by tag name, both in lower case. */
export type TagAttributes = ReadonlyMap<string, ReadonlySet<string>>;

const FLAGS: Readonly<Record<Exclude<TagFilter, 'CustomTags'>, string>> = {
  A: 'href',
  Area: 'href',
  Base: 'href',
  Form: 'action',
  Frame: 'src longdesc',
  Head: 'profile',
  IFrame: 'src longdesc',
  Img: 'src longdesc usemap',
  Input: 'src usemap',
  Link: 'href',
  Script: 'src',
};

/** Empty where the rule has no tag filter, or only custom tags of a group that does not exist. */
export function attributesOf(match: OutboundMatchConfig, { customTags }: OutboundRulesConfig): TagAttributes {
  const attributes = new Map<string, Set<string>>();
  const add = (tag: string, attribute: string) => {
    const lower = tag.toLowerCase();
    const known = attributes.get(lower) ?? new Set();
    attributes.set(lower, known.add(attribute.toLowerCase()));
  };
  for (const flag of match.filterByTags) {
    if (flag !== 'CustomTags') for (const attribute of FLAGS[flag].split(' ')) add(flag, attribute);
  }
  const wanted = match.filterByTags.includes('CustomTags') ? match.customTags?.value.toLowerCase() : undefined;
  const group = customTags.find(({ name }) => name.value.toLowerCase() === wanted);
  for (const { name, attribute } of group?.tags ?? []) add(name, attribute);
  return attributes;
}
