/** Index by Series Instance UID: the same images may come again under another patient or study. */
export const VERSIONS = `
  CREATE INDEX series_uid ON series (uid);
  `;
