require("bufferutil")
