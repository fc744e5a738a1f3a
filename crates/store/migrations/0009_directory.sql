-- Records of the directory that came from outside: who brought them, what proves that somebody is the same again, and
-- what is sent along with messages, sealed.
ALTER TABLE companions ADD COLUMN registered_by TEXT;
ALTER TABLE companions ADD COLUMN lease TEXT;
ALTER TABLE companions ADD COLUMN headers TEXT;
