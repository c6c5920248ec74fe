-- Claims of which nothing was heard yet, for those who ask again whether they got something.
CREATE INDEX attempts_preparing ON attempts (attempt_id) WHERE status = 'preparing';
