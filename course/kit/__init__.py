"""What every chapter needs: checks, exercises, numbers in prose, progress, counts, plot style."""
