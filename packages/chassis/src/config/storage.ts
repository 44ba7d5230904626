/** `storage`: where images end up. */
import { z } from 'zod';
import { folder } from './values.ts';

export const storage = z.strictObject({
  root: folder.describe(
    'Root of project storage. Scanflow never makes it: where it is missing, storage is not mounted.',
  ),
  layout: z
    .string()
    .min(1)
    .default(
      '{project}/raw/{subject}/{session}/{SeriesNumber:3}-{SeriesDescription}/{InstanceNumber:5}_{SOPInstanceUID}.dcm',
    )
    .describe(
      'Path of an image below the root: `{project}`, `{subject}`, `{session}` and keywords of attributes in braces; `:3` pads numbers with zeros. Needs `{SOPInstanceUID}`.',
    ),
  unmatched: z
    .string()
    .min(1)
    .default('quarantine')
    .describe('`quarantine`, or the layout for images whose project is not known.'),
});
