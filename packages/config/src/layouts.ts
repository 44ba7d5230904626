/** Layouts that are known by a name, and what a layout's text stands for. Pure. */

const IMAGE = '{InstanceNumber:5}_{SOPInstanceUID}.dcm';
const SERIES = '{SeriesNumber:3}-{SeriesDescription}';

/** Templates by name. */
export const LAYOUTS: Readonly<Record<string, string>> = {
  // 3010000.01/raw/sub-001/ses-mri01/003-t1_mprage_sag/00001_1.3.12.2.1107.dcm
  dccn: `{project}/raw/{subject}/{session}/${SERIES}/${IMAGE}`,
  // 3010000.01/sourcedata/sub-001/ses-mri01/003-t1_mprage_sag/00001_1.3.12.2.1107.dcm
  'bids-sourcedata': `{project}/sourcedata/{subject:bids}/{session:bids}/${SERIES}/${IMAGE}`,
  // 20261122-2.25.1234/003-2.25.5678/00001_1.3.12.2.1107.dcm
  'study-series': `{StudyDate}-{StudyInstanceUID}/{SeriesNumber:3}-{SeriesInstanceUID}/${IMAGE}`,
};

export const EXTENSIONS = ['dcm', 'IMA', 'none'] as const;
export type Extension = (typeof EXTENSIONS)[number];

/** A template has a slash, a name has none. */
export const isTemplate = (layout: string): boolean => layout.includes('/');

/** The template that `layout` names or is; `extension` is that of named ones, `.dcm` if absent. */
export function layoutTemplate(layout: string, extension?: Extension): string {
  const template = LAYOUTS[layout];
  if (template === undefined) return layout;
  return template.replace(/\.dcm$/, extension === 'none' ? '' : `.${extension ?? 'dcm'}`);
}
