/** Makes the JSON schema of settings.json from its table; `config/settings.schema.json` is this, for editors. */
import { type SettingType, settingsTable } from './settings-table.ts';

type Schema = { readonly [key: string]: unknown };

export function settingsSchema(): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of Lychgate',
    // Not of JSON Schema: editors that go by it mark neither then.
    allowComments: true,
    allowTrailingCommas: true,
    ...schemaOf(settingsTable),
  };
}

function schemaOf(type: SettingType): Schema {
  const described = type.meaning === undefined ? {} : { description: type.meaning };
  return { ...described, ...shapeOf(type) };
}

function shapeOf(type: SettingType): Schema {
  switch (type.kind) {
    case 'object': {
      const properties = Object.fromEntries(Object.entries(type.keys).map(([key, value]) => [key, schemaOf(value)]));
      const required = type.required === undefined ? {} : { required: type.required };
      return { type: 'object', properties, ...required, additionalProperties: false };
    }
    case 'record':
      return { type: 'object', additionalProperties: schemaOf(type.value) };
    case 'list':
      return { type: 'array', items: schemaOf(type.item) };
    case 'either':
      return { anyOf: type.options.map(schemaOf) };
    case 'text':
      if (type.names !== undefined) return { enum: type.names };
      if (type.form === undefined) return { type: 'string' };
      return { type: 'string', ...(type.form.fits('') ? {} : { minLength: 1 }), description: type.form.what };
    case 'number':
      return { type: type.whole ? 'integer' : 'number', minimum: type.min, maximum: type.max };
    case 'switch':
      return type.only === undefined ? { type: 'boolean' } : { const: type.only };
  }
}
