-- How sure the emotion network is that a face is a human one. A face below the least score (fer_core's LEAST_HUMAN), such as that of a pet, keeps its row and its number, so that a person can say that it is one, but counts nowhere.
ALTER TABLE faces ADD COLUMN human REAL;          -- 0 to 1; NULL: the model does not tell
