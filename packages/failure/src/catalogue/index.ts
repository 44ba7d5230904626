/** Every failure code of Scanflow; `npm run generate` makes docs/failures.md from it. */
import { DESTINATIONS } from './destinations.ts';
import { NETWORK } from './network.ts';
import { ORTHANC } from './orthanc.ts';
import { STORAGE } from './storage.ts';
import { STREAMER } from './streamer.ts';
import type { Section } from './types.ts';
import { WORKLIST } from './worklist.ts';

/** In the order of the page. */
export const CATALOGUE: readonly Section[] = [
  ...ORTHANC,
  ...STORAGE,
  ...DESTINATIONS,
  ...NETWORK,
  ...STREAMER,
  ...WORKLIST,
];
