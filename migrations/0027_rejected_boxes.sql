-- The boxes that a person rejected teach which other faces are no human ones (`store::learning`). A face has another human
-- score than the network's only if it counts otherwise by it; the network's is kept beside it, so that it can be had back.

ALTER TABLE faces ADD COLUMN network_human REAL;  -- NULL: the human score of the row is the network's own

ALTER TABLE learning ADD COLUMN rejections INTEGER NOT NULL DEFAULT 0; -- how many boxes were learned from
ALTER TABLE learning ADD COLUMN human_network_loss REAL; -- mean log-loss on them, of the network's human scores
ALTER TABLE learning ADD COLUMN human_layer_loss REAL;   -- and of layers that were each fitted without the face
ALTER TABLE learning ADD COLUMN human_lost INTEGER;      -- faces whose emotion was stated that such layers would hide
ALTER TABLE learning ADD COLUMN human_layer BLOB;        -- fer_core::personal::HumanLayer; NULL: none is in force

CREATE INDEX faces_recounted ON faces (photo_id) WHERE network_human IS NOT NULL;
