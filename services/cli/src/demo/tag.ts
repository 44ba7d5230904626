/** The private tag of the configuration as the DICOM package takes it. */
import type { Config } from '@scanflow/chassis';
import type { PrivateTag } from '@scanflow/dicom';

export const privateTag = ({ group, creator, element, value }: Config['tag']): PrivateTag => ({
  group: Number.parseInt(group, 16),
  creator,
  element: Number.parseInt(element, 16),
  vr: 'LO',
  value,
});
