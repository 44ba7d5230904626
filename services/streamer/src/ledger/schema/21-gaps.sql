-- numbers of changes that were missing when others above them were read, and may still appear
ALTER TABLE cursor ADD COLUMN gaps TEXT;
