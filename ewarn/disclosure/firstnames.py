"""Common first names in the UK, of many backgrounds: what tells 'Sarah Jones' from 'Camden Road'. Ours, and not whole.

In: nothing. Out: a set of names. Left out are names that are common words or drug words (Grace, Hope, Crystal, Molly,
Will, Mark, Rose, Amber, Ruby, Jade, Max, Art, Bill, Rich) and surnames of places (Kent, Chelsea, Florence, Victoria).
"""

from __future__ import annotations

LISTED = """
Aaron Abdul Abdullah Abdi Abigail Adam Adrian Agnieszka Ahmed Aisha Alan Albert Alex Alexander Alexandra Alfie Alice
Alison Alistair Amanda Amina Amir Amy Ana Andrea Andrew Andrzej Angela Anita Ann Anna Anne Annette Anthony Antonio
Arthur Ashley Ayesha Barbara Barry Beatrice Ben Benjamin Bernard Bethany Beverley Bilal Bradley Brenda Brian Bridget
Bruce Callum Cameron Carl Carlos Carol Caroline Catherine Cathy Charles Charlie Charlotte Cheryl Chinedu Chloe Chris
Christina Christine Christopher Claire Clare Clive Colin Connor Craig Daniel Danielle Danny Darren Dave David Dawn
Dean Deborah Debra Denise Dennis Derek Diana Diane Dmitri Dominic Donald Donna Doreen Dorothy Douglas Duncan Dylan
Ebony Eddie Edward Eileen Elaine Eleanor Elena Elizabeth Ella Ellen Ellie Emily Emma Eric Ethan Eve Fatima Fatou
Fiona Frances Francesca Francis Fred Freddie Frederick Gareth Gary Gavin Gemma Geoffrey George Georgia Gerald
Gillian Glen Gloria Gordon Graeme Graham Grzegorz Gurpreet Hamza Hannah Harjit Harold Harriet Harry Hassan Hayley
Heather Helen Henry Hugh Hussein Ian Ibrahim Imran Irene Isaac Isabel Isabella Isla Ivan Jack Jackie Jacob
Jacqueline Jake Jamal James Jamie Jan Jane Janet Janice Jasmine Jason Jean Jeffrey Jennifer Jenny Jeremy Jessica Jim
Joan Joanna Joanne Joe Joel John Jonathan Jordan Jose Joseph Joshua Joyce Juan Judith Julia Julian Julie June Justin
Karen Katarzyna Kate Katherine Kathleen Katie Kayleigh Keith Kelly Ken Kenneth Kevin Khadija Kieran Kim Kirsty
Krzysztof Kwame Kyle Laura Lauren Leah Leanne Lee Leon Leonard Leroy Lesley Leslie Lewis Liam Linda Lindsay Lisa
Lorraine Louis Louise Luca Lucas Lucy Luke Lynn Lynne Maciej Malcolm Marcin Marcus Margaret Maria Marie Marian
Marion Martin Mary Mateusz Matthew Maureen Megan Melanie Melissa Mia Michael Michelle Mick Mike Mohamed Mohammad
Mohammed Moira Monica Muhammad Mustafa Nadia Naomi Natalie Natasha Nathan Neil Ngozi Niamh Nicholas Nicola Nicole
Nigel Nina Noah Norman Olga Oliver Olivia Oluwaseun Omar Oscar Owen Pamela Patricia Patrick Paul Paula Pauline Pawel
Pedro Peter Phil Philip Phillip Phoebe Piotr Priya Rachel Rajesh Ralph Raymond Rebecca Reece Rhys Richard Rita
Robert Robin Roger Ronald Rosemary Ross Roy Russell Ruth Ryan Sally Sam Samantha Samuel Sandra Sanjay Sara Sarah
Scott Sean Sebastian Shannon Sharon Shaun Sheila Shirley Sian Simon Sophia Sophie Stacey Stanley Stella Stephanie
Stephen Steve Steven Stuart Sunita Susan Suzanne Sylvia Tanya Teresa Terence Terry Theo Theresa Thomas Tim Timothy
Tina Toby Tomasz Tony Tracey Tracy Trevor Tyler Tyrone Valerie Vanessa Vera Veronica Vincent Vivienne Wayne Wendy
William Winston Yasmin Yusuf Yvonne Zahra Zainab Zoe Zofia
"""
FIRST_NAMES = frozenset(LISTED.split())
