/** fast-check, with the seed of the day. */
import fc from 'fast-check';
import { seed } from './random.ts';

fc.configureGlobal({ seed });

export { fc };
