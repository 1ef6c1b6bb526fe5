"""Micrographs of simulated blends, with all that is known of them: fields, microscope, print, true measures."""
